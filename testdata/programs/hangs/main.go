// Hangs, one of each kind, and for each of them its true verdict: which goroutines wait for each
// other in a ring (deadlock), and which can be woken by nobody (leaked: what they wait on is in
// reach of nobody else). A goroutine goes by the function that it was started with. "together" runs
// them all in one process.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
)

type hang struct {
	name      string
	start     func()
	deadlocks [][]string
	leaked    map[string]int
	waits     [][]string // who waits for whom
}

var hangs = []hang{
	{name: "abba", start: abba, deadlocks: [][]string{{"main.abbaFirst", "main.abbaSecond"}}, leaked: map[string]int{"main.abbaFirst": 1, "main.abbaSecond": 1}},
	{name: "abba-global", start: abbaGlobal, deadlocks: [][]string{{"main.globalFirst", "main.globalSecond"}}},
	{name: "philosophers", start: philosophers, deadlocks: [][]string{{"main.dine", "main.dine", "main.dine"}}, leaked: map[string]int{"main.dine": 3}},
	{name: "ring", start: ring, deadlocks: [][]string{{"main.pass", "main.pass", "main.pass"}}, leaked: map[string]int{"main.pass": 3}},
	{name: "forgotten-sender", start: forgottenSender, leaked: map[string]int{"main.answerLate": 1}},
	{name: "leaked-worker", start: leakedWorkers, leaked: map[string]int{"main.work": 3}},
	{name: "lost-done", start: lostDone, leaked: map[string]int{"main.waitForAll": 1}},
	{name: "upgrade", start: upgrade, deadlocks: [][]string{{"main.upgradeLock"}}, leaked: map[string]int{"main.upgradeLock": 1}},
	{name: "reader-twice", start: readerTwice, deadlocks: [][]string{{"main.readTwice", "main.writeBetween"}}, leaked: map[string]int{"main.readTwice": 1, "main.writeBetween": 1}},
	{name: "cond", start: condWithoutSignal, leaked: map[string]int{"main.waitForSignal": 1}},
	{name: "pipeline", start: fullPipeline, leaked: map[string]int{"main.produce": 1, "main.double": 1}},
	{name: "select", start: selectWithoutCase, leaked: map[string]int{"main.selectDead": 1, "main.selectNone": 1}},
	// The queue of finalizers still leads to what this one waits on.
	{name: "finalizer", start: blockedFinalizer},
	{name: "errgroup", start: groupInItself, leaked: map[string]int{"main.groupCaller": 1, "main.(*group).Go.func1": 1}},
	{name: "token", start: lostToken, leaked: map[string]int{"main.takeToken": 1}},
	{name: "once", start: onceAgain, deadlocks: [][]string{{"main.enterOnce"}}, leaked: map[string]int{"main.enterOnce": 1}},
	{name: "context", start: forgottenContext, leaked: map[string]int{"main.waitForCancel": 1}},
	{name: "forgotten-unlock", start: forgottenUnlock, leaked: map[string]int{"main.lockAfterError": 2}},
	{name: "nil-channel", start: nilChannel, leaked: map[string]int{"main.receiveNil": 1, "main.sendNil": 1}},
	{name: "stopped-timer", start: stoppedTimer, leaked: map[string]int{"main.waitForTimer": 1}},
	{name: "lock-twice", start: lockTwice, deadlocks: [][]string{{"main.lockAgain"}}, leaked: map[string]int{"main.lockAgain": 1}},
	{name: "mixed", start: mixed, deadlocks: [][]string{{"main.lockThenReceive", "main.sendUnderLock"}}, leaked: map[string]int{"main.lockThenReceive": 1, "main.sendUnderLock": 1}},
	{name: "waitgroup-in-itself", start: groupOfOne, leaked: map[string]int{"main.waitForItself": 1}},
	{name: "starved", start: starved},
	{name: "storm", start: storm},
}

func print(name string, value interface{}) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s = %s\n", name, text)
}

// What the runtime itself finds, where it has that profile (GOEXPERIMENT=goroutineleakprofile in
// go1.26, always since go1.27).
func printProfile() {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		return
	}
	var text bytes.Buffer
	if err := profile.WriteTo(&text, 2); err != nil {
		panic(err)
	}
	found := map[string]int{}
	for _, block := range strings.Split(text.String(), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if !strings.Contains(lines[0], "(leaked)") {
			continue
		}
		for i := len(lines) - 1; i > 0; i-- {
			line := lines[i]
			if strings.HasPrefix(line, "main.") {
				found[line[:strings.LastIndex(line, "(")]]++
				break
			}
		}
	}
	print("hang.profile", found)
}

func main() {
	deadlocks, leaked, waits := [][]string{}, map[string]int{}, [][]string{}
	for _, h := range hangs {
		// What runs was stopped anywhere, where it may hold what it holds no more: alone.
		if isTogether := len(os.Args) < 2 || os.Args[1] == ""; isTogether {
			if h.name == "starved" {
				continue
			}
		} else if os.Args[1] != h.name {
			continue
		}
		h.start()
		deadlocks = append(deadlocks, h.deadlocks...)
		waits = append(waits, h.waits...)
		for name, count := range h.leaked {
			leaked[name] += count
		}
	}
	hangs = nil
	// What main itself needs to go on with, and the starting functions' stacks gone.
	for i := 0; i < 3; i++ {
		time.Sleep(50 * time.Millisecond)
		runtime.GC()
	}
	print("hang.deadlocks", deadlocks)
	print("hang.leaked", leaked)
	print("hang.waits", waits)
	if len(os.Args) > 2 {
		printProfile()
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}

// A barrier: returns when n goroutines have come.
type barrier struct{ group sync.WaitGroup }

func newBarrier(n int) *barrier {
	b := &barrier{}
	b.group.Add(n)
	return b
}

func (b *barrier) meet() {
	b.group.Done()
	b.group.Wait()
}
