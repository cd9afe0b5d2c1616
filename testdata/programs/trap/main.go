// Executes an instruction that the processor refuses: SIGFPE, SIGILL, SIGTRAP, each from assembly.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
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
	runtime.LockOSThread()
	which := os.Args[1]
	kinds := map[string]string{"divide": "panic", "illegal": "signal", "breakpoint": "signal"}
	fmt.Printf("crash.kind = %q\ncrash.goroutine = 1\ncrash.blamed = [1]\ncrash.thread = %d\n", kinds[which],
		syscall.Gettid())
	if which == "divide" {
		fmt.Println("crash.message = \"runtime error: integer divide by zero\"")
	}
	call(map[string]func(){"divide": divide, "illegal": illegal, "breakpoint": breakpoint}[which])
}
