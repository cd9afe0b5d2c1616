// Package main is the plugin: a stack of its own functions, inlined ones and a panic of its own type.
package main

import "time"

type book struct {
	title string
	pages [4]int
	next  *book
}

type missing string

//go:noinline
func (b *book) read(c chan int, n int) int {
	if n > 0 {
		return b.read(c, n-1)
	}
	return <-c
}

func page(b *book, i int) int { return b.pages[i] }

//go:noinline
func (b *book) turn(i int) int { return page(b, i) }

func Start(n int) chan int {
	c := make(chan int)
	b := &book{title: "runtime"}
	go b.read(c, n)
	go func() {
		for range time.Tick(time.Hour) {
		}
	}()
	return c
}

func Through(f func()) { f() }

func Die(how string) {
	b := &book{title: how}
	switch how {
	case "type":
		panic(missing("no such book"))
	case "index":
		println(b.turn(len(how)))
	case "nil":
		println(b.next.title)
	}
}
