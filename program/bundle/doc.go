// Package bundle puts the parts of a bundle of files together: the program's
// rules, its segments, its campaigns.
//
// Model. Parse reads all files at once, each by the package that knows what it
// means, and hands to each what it needs of the others: campaigns ask for
// conditions that are watched as segments, segments ask for tiers, campaigns name
// segments.
//
// Owns: the order in which the parts are read, and that one check reports the
// problems of all of them.
//
// Does not own: what any file means (packages program, segments, campaigns);
// where bundles come from and when they are in force (control, customer).
//
// Invariants: the result depends on the files alone; a Bundle without problems
// has all its parts, empty ones where there are no files.
package bundle
