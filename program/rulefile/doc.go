// Package rulefile reads the YAML files of a bundle, value by value, and says for
// everything that is wrong where it stands and what to write instead.
//
// Model. Read gives the top Place of a file's only document; a Place is a value
// with its file, line, column and path. Its readers (Text, ID, Integer, Money,
// Span, Instant, ...) return the value, or report a Problem to the Complaints
// that all Places of a check share and return a harmless one, so that one check
// reports everything at once.
//
// Owns: what YAML is accepted (no anchors, tags, merges; bounded depth and size),
// positions, hints, the forms of values that several kinds of files share.
//
// Does not own: what the files mean (packages program, segments, campaigns).
//
// Invariants: hostile bytes become Problems, never panics; numbers never pass
// through binary floating point; the result depends on the bytes alone.
package rulefile
