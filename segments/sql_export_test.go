package segments

// Quote is quote, for tests that have an engine.
var Quote = quote
