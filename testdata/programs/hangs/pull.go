//go:build go1.23

package main

import "iter"

var never = make(chan int)

func blockedSequence(yield func(int) bool) {
	if yield(1) {
		<-never
	}
}

func consume() {
	next, stop := iter.Pull(blockedSequence)
	defer stop()
	for v, ok := next(); ok; v, ok = next() {
		counted += v
	}
}

//go:noinline
func blockedPull() { go consume() }

func init() {
	hangs = append(hangs, hang{name: "pull", start: blockedPull,
		waits: [][]string{{"main.consume", "main.blockedSequence"}}})
}
