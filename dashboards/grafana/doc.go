// Package grafana brings the dashboards into a Grafana, and keeps them there as
// they are here.
//
// Model. Apply looks at what the Grafana has, compares it with what is wanted, and
// makes or changes only what differs: folder, data source, dashboards, alert
// rules, annotations. It installs nothing and deletes nothing. A second run changes
// nothing.
//
// Owns: the calls of Grafana's HTTP API and what counts as a difference.
//
// Does not own: what the dashboards and rules are (package dashboards), where
// annotations come from (its caller).
//
// Invariants: the token and the data source's password are in no error, no change
// and no log; a dry run only reads.
package grafana
