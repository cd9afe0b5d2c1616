//go:build go1.19

package main

import "sync/atomic"

func pointers() {
	var p atomic.Pointer[pair]
	p.Store(&pair{8, 9})
	say("atomic.pointer", &p, fact{Holds: "main.pair"})
	var number atomic.Int64
	number.Store(-5)
	text("atomic.int64", &number, "-5")
	var flag atomic.Bool
	flag.Store(true)
	text("atomic.bool", &flag, "true")
	var word atomic.Uint32
	word.Store(4000000000)
	text("atomic.uint32", &word, "4000000000")
}
