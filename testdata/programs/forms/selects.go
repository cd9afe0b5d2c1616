package main

import (
	"fmt"
	"reflect"
	"time"
)

type pick struct {
	Channel   string `json:"channel"`
	Operation string `json:"operation"`
	Case      int    `json:"case"`
	Value     string `json:"value,omitempty"`
}

func address(c interface{}) string { return fmt.Sprintf("%#x", reflect.ValueOf(c).Pointer()) }

// selects starts goroutines that wait in selects of many shapes, on channels that nobody shares.
func selects() {
	numbers, words, pairs, units := make(chan int), make(chan string), make(chan pair), make(chan struct{})
	start("sends and receives", []pick{{address(numbers), "send", 0, "41"}, {address(words), "receive", 0, ""},
		{address(pairs), "send", 1, ""}, {address(units), "receive", 1, ""}}, func() {
		select {
		case numbers <- 41:
		case <-words:
		case pairs <- pair{5, 6}:
		case <-units:
		}
	})
	withoutChannels(make(chan string), make(chan struct{}))
	both := make(chan string)
	start("one twice", []pick{{address(both), "receive", 0, ""}, {address(both), "receive", 1, ""}, {address(both), "send", 0, "word"}}, func() {
		var x, y string
		select {
		case x = <-both:
		case y = <-both:
		case both <- "word":
		}
		use(x, y)
	})
	reflection(make(chan int), make(chan string), make(chan struct{}))
	low, lower := make(chan int), make(chan struct{})
	start("deep", []pick{{address(low), "receive", 0, ""}, {address(lower), "receive", 1, ""}}, func() { deep(100, low, lower) })
}

func withoutChannels(words chan string, units chan struct{}) {
	var none chan int
	start("nil channels", []pick{{address(words), "receive", 1, ""}, {address(units), "receive", 3, ""}}, func() {
		select {
		case <-none:
		case text := <-words:
			use(text)
		case number := <-none:
			use(number)
		case <-units:
		case none <- 1:
		}
	})
}

func reflection(numbers chan int, words chan string, units chan struct{}) {
	var none chan int
	start("by reflection", []pick{{address(numbers), "send", 0, "43"}, {address(words), "receive", 0, ""}, {address(units), "receive", 2, ""}}, func() {
		reflect.Select([]reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(words)},
			{Dir: reflect.SelectSend, Chan: reflect.ValueOf(numbers), Send: reflect.ValueOf(43)},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(none)},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(units)}})
	})
}

// deep waits where its stack has grown, and been copied with the cases of the select upon it.
func deep(n int, a chan int, d chan struct{}) {
	var space [64]int
	if n > 0 {
		deep(n-1, a, d)
		use(&space)
		return
	}
	select {
	case space[0] = <-a:
	case <-d:
	}
	use(&space)
}

var sink interface{}

//go:noinline
func use(values ...interface{}) { sink = values }

func start(name string, picks []pick, f func()) {
	go f()
	time.Sleep(5 * time.Millisecond)
	for _, one := range picks {
		fmt.Fprintf(out, "select.%d = {\"name\": %q, \"channel\": %q, \"operation\": %q, \"case\": %d, \"value\": %q}\n",
			selected, name, one.Channel, one.Operation, one.Case, one.Value)
		selected++
	}
}

var selected int
