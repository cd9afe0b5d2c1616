// Executes an instruction that the processor refuses: SIGFPE, SIGILL, SIGTRAP, each from assembly.
package main

import (
	"fmt"
	"os"
)

func divide()
func illegal()
func breakpoint()

//go:noinline
func call(f func()) {
	f()
	fmt.Println("went on")
}

func main() {
	which := os.Args[1]
	kinds := map[string]string{"divide": "panic", "illegal": "signal", "breakpoint": "signal"}
	fmt.Printf("crash.kind = %q\ncrash.goroutine = 1\ncrash.blamed = [1]\n", kinds[which])
	if which == "divide" {
		fmt.Println("crash.message = \"runtime error: integer divide by zero\"")
	}
	call(map[string]func(){"divide": divide, "illegal": illegal, "breakpoint": breakpoint}[which])
}
