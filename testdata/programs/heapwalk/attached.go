//go:build go1.24

package main

import (
	"runtime"
	"unique"
	"weak"
)

type holder struct {
	weak  weak.Pointer[small]
	alive *small
	name  unique.Handle[string]
}

// Cleanups and weak pointers: what only these lead to, and what they keep themselves.
func attached() {
	for i := 0; i < 40; i++ {
		h := &holder{alive: &small{n: i}, name: unique.Make("heapwalk")}
		h.weak = weak.Make(h.alive)
		inner := &small{n: i}
		runtime.AddCleanup(h, func(p *small) { sink = p }, inner)
		keep = append(keep, h)
	}
	keep = append(keep, weak.Make(&small{n: 1}))
}
