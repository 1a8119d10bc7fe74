package campaigns

// Template is a checked text: literal parts and variables in turns.
type Template struct {
	Parts []Part
}

// Part is a literal (Variable "") or a variable. Personal ones, which the tool
// fills, are literals: {{first_name}} stays as it is.
type Part struct {
	Literal  string
	Variable string
}
