// Command punchcard is the whole loyalty engine in one binary, and the only
// place where its parts are wired together: app.go reads as the drawing.
//
// Owns: settings, the data folder (lock, keys, addresses), which roles run,
// commands for people, health and metrics.
//
// Does not own: any behaviour of the parts.
package main
