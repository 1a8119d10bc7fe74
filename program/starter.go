package program

import _ "embed"

//go:embed starter/program.yaml
var starterProgram string

// Starter returns the files of a first bundle, with remarks on every line. It
// passes Parse without a problem.
func Starter() map[string]string {
	return map[string]string{ProgramFile: starterProgram}
}
