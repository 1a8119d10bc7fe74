// Package page is the built-in page: it draws the dashboards in a browser, and
// shows what Grafana cannot: a live feed, a customer's own story, the program in
// words.
//
// Model: the browser gets the very JSON that Grafana gets and draws its panels. It
// never sends SQL: it names a dashboard and a panel, a variable or an annotation;
// the SQL is looked up in the JSON here, expanded, and run as a reader with limits
// on time and rows. The page itself (folder web, TypeScript) is built by npm into
// dist and embedded; a fresh clone compiles without it and says how to build it.
//
// Owns: the routes below / and /page/api/, their limits, how entries and messages
// read as lines of a feed or a story. Does not own: what the dashboards ask
// (package dashboards), who may read (Config.Allowed), where facts come from
// (functions of Config).
//
// Invariants: every route below /page/api/ asks Allowed first. The answer to a
// query holds at most MaxRows rows and takes at most MaxQueryTime. A feed holds at
// most feedQueue lines for a client; the oldest give way and are counted.
package page
