// Holds values of well-known types, prints how each would be written (say.go), and panics with all
// of them: so they are read by the program's own type data, and by DWARF as main.gForms.
package main

import (
	"os"
	"time"
)

type item struct {
	Name string
	V    interface{}
}

var gForms []item

// catalogue is what the program panics with.
type catalogue struct {
	Forms []item
	Typed *typed
}

func main() {
	times()
	addresses()
	errorChains()
	contexts()
	synchronised()
	atomics()
	numbers()
	collections()
	reflected()
	messages()
	newer()
	selects()
	spinning()
	time.Sleep(20 * time.Millisecond) // so that some timers have run
	flush()
	if len(gForms) == 0 {
		os.Exit(1)
	}
	panic(&catalogue{gForms, &gTyped})
}
