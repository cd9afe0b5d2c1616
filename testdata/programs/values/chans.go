package main

import (
	"time"

	"example.com/values/truth"
)

type job struct {
	id   int
	name string
	next *job
}

var (
	gBuffered = make(chan string, 4)
	gFull     = make(chan job, 2)
	gSend     = make(chan *job)
	gReceive  = make(chan uint16)
	gClosed   = make(chan int, 3)
	gChoose   = make(chan float64)
	gUnits    = make(chan struct{}, 5)
	gWide     = make(chan [40]uint64, 2)
	gAny      = make(chan interface{}, 3)
	gNil      chan bool
	gTimer    = time.NewTimer(time.Hour)
	gReadOnly <-chan string
	gSendOnly chan<- string
)

func sendJob(c chan job, j job) {
	truth.Say("j", j)
	truth.Say("c", c)
	c <- j
}

func sendPointer(c chan *job, j *job) {
	truth.Keep("j", j)
	truth.Say("c", c)
	c <- j
	use(j)
}

func receiveShort(c chan uint16) {
	truth.Say("c", c)
	<-c
}

// choose waits in a select that sends to one channel and receives from two.
func choose(c chan float64, other chan uint16, j chan *job, value float64) {
	truth.Say("value", value)
	truth.Say("c", c)
	truth.Say("other", other)
	truth.Say("j", j)
	select {
	case c <- value:
	case <-other:
	case p := <-j:
		use(p)
	}
}

func holdChannels() {
	local := make(chan int8, 3)
	local <- 1
	local <- 2
	received, sendOnly, readOnly := gBuffered, gSendOnly, gReadOnly
	truth.Keep("local", local)
	truth.Keep("received", received)
	truth.Keep("sendOnly", sendOnly)
	truth.Keep("readOnly", readOnly)
	truth.Channel(local, false, []int8{1, 2}, nil, nil)
	park()
	use(local, received, sendOnly, readOnly)
}

func channels() {
	// The ring has turned: four live slots, of which the first lies in its middle.
	for _, text := range []string{"dead1", "dead2", "three", "four"} {
		gBuffered <- text
	}
	<-gBuffered
	<-gBuffered
	gBuffered <- "five"
	gReadOnly, gSendOnly = gBuffered, gBuffered
	gFull <- job{1, "full1", nil}
	full2 := job{2, "full2", &job{3, "full3", nil}}
	gFull <- full2
	gClosed <- 11
	gClosed <- 12
	close(gClosed)
	gUnits <- struct{}{}
	gUnits <- struct{}{}
	gWide <- [40]uint64{0: 1, 39: 40}
	gAny <- 1
	gAny <- "two"
	gAny <- nil
	job4, job5, job6 := job{4, "waits4", nil}, &job{5, "waits5", nil}, &job{6, "waits6", nil}
	full := hold(func() { sendJob(gFull, job4) })
	send := []truth.Waiter{{G: hold(func() { sendPointer(gSend, job5) }), Value: job5}, {G: hold(func() { sendPointer(gSend, job6) }), Value: job6}}
	receive := []int{hold(func() { receiveShort(gReceive) }), hold(func() { receiveShort(gReceive) })}
	other := make(chan *job)
	choosing := hold(func() { choose(gChoose, gReceive, other, 2.5) })
	hold(holdChannels)
	truth.Channel(gBuffered, false, []string{"three", "four", "five"}, nil, nil)
	truth.Channel(gFull, false, []job{{1, "full1", nil}, full2},
		[]truth.Waiter{{G: full, Value: job4}}, nil)
	truth.Channel(gSend, false, nil, send, nil)
	truth.Channel(gReceive, false, nil, nil, append(receive, choosing))
	truth.Channel(other, false, nil, nil, []int{choosing})
	truth.Channel(gChoose, false, nil, []truth.Waiter{{G: choosing, Value: 2.5}}, nil)
	truth.Channel(gClosed, true, []int{11, 12}, nil, nil)
	truth.Channel(gUnits, false, []struct{}{{}, {}}, nil, nil)
	truth.Channel(gWide, false, [][40]uint64{{0: 1, 39: 40}}, nil, nil)
	truth.Channel(gAny, false, []interface{}{1, "two", nil}, nil, nil)
	truth.Global("main.gBuffered", &gBuffered)
	truth.Global("main.gFull", &gFull)
	truth.Global("main.gSend", &gSend)
	truth.Global("main.gReceive", &gReceive)
	truth.Global("main.gClosed", &gClosed)
	truth.Global("main.gUnits", &gUnits)
	truth.Global("main.gWide", &gWide)
	truth.Global("main.gAny", &gAny)
	truth.Global("main.gNil", &gNil)
	truth.Global("main.gReadOnly", &gReadOnly)
	truth.Global("main.gSendOnly", &gSendOnly)
}
