// Recurses until the stack's limit is reached; the limit is lowered so that the core stays small.
package main

import (
	"fmt"
	"runtime/debug"
)

type tree struct{ left, right *tree }

//go:noinline
func (t *tree) depth(n int) int {
	if t == nil {
		return n
	}
	return t.left.depth(n+1) + t.right.depth(n+1)
}

func main() {
	loop := &tree{}
	loop.left, loop.right = loop, loop
	debug.SetMaxStack(1 << 20)
	fmt.Printf("crash.kind = \"fatal error\"\ncrash.message = \"stack overflow\"\n")
	fmt.Println(loop.depth(0))
}
