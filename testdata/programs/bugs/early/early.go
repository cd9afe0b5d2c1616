// Package early fails before main begins.
package early

import "os"

func wants(name string) bool { return len(os.Args) > 1 && os.Args[1] == name }

// Limits is set by a closure of the package.
var Limits = func() map[string]int {
	var limits map[string]int
	if wants("package-var") {
		limits["open"] = 1
	}
	return limits
}()

func init() {
	if wants("init") {
		panic("early: no configuration")
	}
}
