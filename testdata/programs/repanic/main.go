// Panics again while panicking: recovered and raised again, in a deferred call, nested, after Goexit.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
)

func again() {
	defer func() {
		if r := recover(); r != nil {
			panic(r)
		}
	}()
	panic(errors.New("raised twice"))
}

func other() {
	defer func() {
		r := recover()
		panic(fmt.Sprintf("second after %v", r))
	}()
	panic("first")
}

func deferred() {
	defer func() { panic("from deferred") }()
	panic("from body")
}

func nested() {
	defer func() {
		defer func() {
			panic("third")
		}()
		panic("second")
	}()
	panic("first")
}

func goexit() {
	defer func() { panic("after Goexit") }()
	runtime.Goexit()
}

// recovered panics after an earlier panic was recovered: only the last one is left.
func recovered() {
	func() {
		defer func() { _ = recover() }()
		panic("nobody sees this")
	}()
	panic("the only one")
}

func main() {
	which := "again"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	last := map[string]string{
		"again": "raised twice", "other": "second after first", "deferred": "from deferred",
		"nested": "third", "goexit": "after Goexit", "recovered": "the only one",
	}
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = %q\n", last[which])
	switch which {
	case "again":
		again()
	case "other":
		other()
	case "deferred":
		deferred()
	case "nested":
		nested()
	case "goexit":
		go func() {
			time.Sleep(10 * time.Millisecond) // main waits by then
			goexit()
		}()
		select {}
	case "recovered":
		recovered()
	}
}
