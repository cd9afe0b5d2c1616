//go:build go1.23

package main

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"unique"

	"example.com/values/truth"
)

func numbers(i int) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for k := 0; k < 3; k++ {
			if !yield(k, u("numbers", i)+uint64(k)) {
				return
			}
		}
	}
}

// The loop's body is a function of its own: tagOver-range1.
//
//go:noinline
func tagOver(i int, a uint64) {
	total := uint64(0)
	for k, v := range numbers(i) {
		total += v
		if k == 1 {
			truth.In(truth.Function(), 0, truth.Kept("k", k), truth.Kept("v", v), truth.Is("total", total), truth.Is("i", i), truth.Is("a", a))
			grow(60)
			park()
		}
		sink += v + uint64(k)
	}
	use(total, a)
}

func holdRecent() {
	count, pointer := &atomic.Int64{}, &atomic.Pointer[point]{}
	count.Store(-5)
	pointer.Store(&point{1, 2})
	joined := errors.Join(errors.New("first"), &failure{2, "second"})
	cause, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("the cause"))
	handle := unique.Make("handle")
	truth.More(truth.Natural("count", count, "-5"))
	truth.Keep("pointer", pointer)
	truth.Keep("joined", joined)
	truth.Keep("cause", cause)
	truth.Say("handle", handle)
	truth.Say("cancel", cancel)
	park()
	use(count, pointer, joined, cause, handle)
}

func recent() {
	hold(holdRecent)
	times(func(i int) { tagOver(i, u("over.a", i)) })
}
