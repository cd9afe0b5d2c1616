// Holds values of every kind in every place where a variable can lie, prints them (package truth),
// and panics. Variables under truth.Keep and truth.Kept are used after the wait, so that optimised
// builds keep them; the others may be gone, and then nothing may be shown in their place.
package main

import (
	"errors"
	"fmt"

	"example.com/values/truth"
)

// hold starts f in a goroutine and comes back once that waits.
func hold(f func()) int { return truth.Start(f) }

type crashed struct {
	Code int
	why  string
	at   *point
	error
}

//go:noinline
func die(reason error) { panic(reason) }

func main() {
	kinds()
	hold(holdMaps)
	hold(holdKeys)
	channels()
	known()
	recent()
	tags()
	lost()
	globals()
	churn()
	onStack() // once more, for goroutines that no collection has seen
	spinning()
	reason := error(&crashed{7, "the end", &point{1, 2}, fmt.Errorf("caused by: %w", errors.New("root cause"))})
	truth.Note("panic", truth.Of(reason))
	truth.Flush()
	die(reason)
}
