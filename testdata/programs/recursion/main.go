// Stacks deeper than the 100 frames that a traceback prints: the middle is elided there, not here.
package main

import (
	"fmt"
	"time"
)

//go:noinline
func down(n int, block chan int) int {
	if n == 0 {
		return <-block
	}
	return down(n-1, block) + 1
}

type visitor interface{ visit(n int) int }

type even struct{ block chan int }
type odd struct{ block chan int }

func (v even) visit(n int) int { return odd{v.block}.visit(n-1) + 1 }
func (v odd) visit(n int) int {
	if n < 0 {
		return <-v.block
	}
	var next visitor = even{v.block}
	return next.visit(n-1) + 1
}

func main() {
	block := make(chan int)
	for _, depth := range []int{10, 45, 48, 50, 90, 95, 96, 97, 98, 99, 100, 101, 102, 500, 5000} {
		go down(depth, block)
		go even{block}.visit(depth)
	}
	time.Sleep(50 * time.Millisecond)
	fmt.Printf("crash.kind = \"panic\"\ncrash.message = \"deep enough\"\n")
	var crash func(n int)
	crash = func(n int) {
		if n == 0 {
			panic("deep enough")
		}
		crash(n - 1)
	}
	crash(150)
}
