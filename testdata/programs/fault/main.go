// Touches memory that is not there, far from nil: a fatal error, not a panic, unless asked for one.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"unsafe"
)

//go:noinline
func peek(address uintptr) int { return **(**int)(unsafe.Pointer(&address)) }

func main() {
	if len(os.Args) > 1 {
		debug.SetPanicOnFault(true)
		fmt.Println("crash.kind = \"panic\"\ncrash.goroutine = 1")
		fmt.Println("crash.message = \"runtime error: invalid memory address or nil pointer dereference\"")
	} else {
		fmt.Println("crash.kind = \"fatal error\"\ncrash.goroutine = 1\ncrash.message = \"fault\"")
	}
	fmt.Println(peek(0x7000000))
}
