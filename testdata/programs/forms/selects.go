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

// selects starts goroutines that wait in selects of many shapes.
func selects() {
	a, b, c, d := make(chan int), make(chan string), make(chan pair), make(chan struct{})
	var none chan int
	start("sends and receives", []pick{{address(a), "send", 0, "41"}, {address(b), "receive", 0, ""},
		{address(c), "send", 1, ""}, {address(d), "receive", 1, ""}}, func() {
		select {
		case a <- 41:
		case <-b:
		case c <- pair{5, 6}:
		case <-d:
		}
	})
	start("nil channels", []pick{{address(b), "receive", 1, ""}, {address(d), "receive", 3, ""}}, func() {
		select {
		case <-none:
		case text := <-b:
			use(text)
		case number := <-none:
			use(number)
		case <-d:
		case none <- 1:
		}
	})
	start("one twice", []pick{{address(b), "receive", 0, ""}, {address(b), "receive", 1, ""}, {address(b), "send", 0, "word"}}, func() {
		var x, y string
		select {
		case x = <-b:
		case y = <-b:
		case b <- "word":
		}
		use(x, y)
	})
	start("by reflection", []pick{{address(a), "send", 0, "43"}, {address(b), "receive", 0, ""}, {address(d), "receive", 2, ""}}, func() {
		reflect.Select([]reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(b)},
			{Dir: reflect.SelectSend, Chan: reflect.ValueOf(a), Send: reflect.ValueOf(43)},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(none)},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(d)}})
	})
	start("deep", []pick{{address(a), "receive", 0, ""}, {address(d), "receive", 1, ""}}, func() { deep(100, a, d) })
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
