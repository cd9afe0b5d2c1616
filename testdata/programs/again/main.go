// Crashes, and crashes again while it is about to: in the method that gives the panic's text, while
// that text is printed, by a fatal error where a panic is handled.
package main

import (
	"fmt"
	"os"
	"sync"
	"unsafe"
)

type panics struct{}

func (panics) Error() string { panic("no text") }

type faults struct{ next *faults }

func (f *faults) Error() string { return f.next.next.Error() }

type text struct {
	data uintptr
	size int
}

// fatal unlocks what is not locked while a panic is handled; the runtime does not print that panic.
func fatal(handle bool) {
	defer func() {
		if handle {
			_ = recover()
		}
		var mu sync.Mutex
		mu.Unlock()
	}()
	panic("first")
}

func main() {
	fmt.Println("crash.goroutine = 1\ncrash.blamed = [1]")
	if os.Args[1] != "print" {
		fmt.Println("crash.kind = \"fatal error\"")
	}
	switch os.Args[1] {
	case "panic":
		panic(panics{})
	case "fault":
		panic(&faults{})
	case "print":
		// A string that cannot be read: the runtime faults on its own stack as it prints it.
		panic(*(*string)(unsafe.Pointer(&text{0x7000000, 64})))
	case "handled":
		fatal(true)
	case "panicking":
		fatal(false)
	}
}
