// Makes the runtime panic: each of its run-time errors, one by argument.
package main

import (
	"fmt"
	"os"
)

type node struct {
	pad  [4]int
	next *node
}

//go:noinline
func walk(n *node) *node { return n.next.next }

//go:noinline
func index(s []int, i int) int { return s[i] }

//go:noinline
func cut(s []int, i, j int) []int { return s[i:j] }

//go:noinline
func divide(a, b int) int { return a / b }

//go:noinline
func size(n int) []int { return make([]int, n) }

type shape interface{ Area() float64 }

func main() {
	which := "nil"
	if len(os.Args) > 1 {
		which = os.Args[1]
	}
	message := map[string]string{
		"nil":       "runtime error: invalid memory address or nil pointer dereference",
		"call":      "runtime error: invalid memory address or nil pointer dereference",
		"method":    "runtime error: invalid memory address or nil pointer dereference",
		"index":     "runtime error: index out of range [5] with length 3",
		"slice":     "runtime error: slice bounds out of range [:9] with capacity 3",
		"divide":    "runtime error: integer divide by zero",
		"map":       "assignment to entry in nil map",
		"closed":    "send on closed channel",
		"close":     "close of nil channel",
		"length":    "runtime error: makeslice: len out of range",
		"assertion": "interface conversion: interface {} is string, not int",
	}[which]
	fmt.Printf("crash.kind = \"panic\"\ncrash.goroutine = 1\ncrash.message = %q\n", message)
	three := []int{1, 2, 3}
	var f func()
	var s shape
	var m map[string]int
	var any interface{} = "text"
	var none chan int
	closed := make(chan int)
	close(closed)
	switch which {
	case "nil":
		fmt.Println(walk(&node{}))
	case "call":
		f()
	case "method":
		fmt.Println(s.Area())
	case "index":
		fmt.Println(index(three, 5))
	case "slice":
		fmt.Println(cut(three, 1, 9))
	case "divide":
		fmt.Println(divide(1, len(three)-3))
	case "map":
		m["x"] = 1
	case "closed":
		closed <- 1
	case "close":
		close(none)
	case "length":
		fmt.Println(size(len(three) - 4))
	case "assertion":
		fmt.Println(any.(int))
	}
}
