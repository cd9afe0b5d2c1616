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
}

var hangs = []hang{
	{"abba", abba, [][]string{{"main.abbaFirst", "main.abbaSecond"}},
		map[string]int{"main.abbaFirst": 1, "main.abbaSecond": 1}},
	{"abba-global", abbaGlobal, [][]string{{"main.globalFirst", "main.globalSecond"}}, nil},
	{"philosophers", philosophers, [][]string{{"main.dine", "main.dine", "main.dine"}},
		map[string]int{"main.dine": 3}},
	{"ring", ring, [][]string{{"main.pass", "main.pass", "main.pass"}},
		map[string]int{"main.pass": 3}},
	{"forgotten-sender", forgottenSender, nil, map[string]int{"main.answerLate": 1}},
	{"leaked-worker", leakedWorkers, nil, map[string]int{"main.work": 3}},
	{"lost-done", lostDone, nil, map[string]int{"main.waitForAll": 1}},
	{"upgrade", upgrade, [][]string{{"main.upgradeLock"}}, map[string]int{"main.upgradeLock": 1}},
	{"reader-twice", readerTwice, [][]string{{"main.readTwice", "main.writeBetween"}},
		map[string]int{"main.readTwice": 1, "main.writeBetween": 1}},
	{"cond", condWithoutSignal, nil, map[string]int{"main.waitForSignal": 1}},
	{"pipeline", fullPipeline, nil, map[string]int{"main.produce": 1, "main.double": 1}},
	{"select", selectWithoutCase, nil, map[string]int{"main.selectDead": 1, "main.selectNone": 1}},
	// The queue of finalizers still leads to what this one waits on.
	{"finalizer", blockedFinalizer, nil, nil},
	{"errgroup", groupInItself, nil, map[string]int{"main.groupCaller": 1, "main.(*group).Go.func1": 1}},
	{"token", lostToken, nil, map[string]int{"main.takeToken": 1}},
	{"once", onceAgain, [][]string{{"main.enterOnce"}}, map[string]int{"main.enterOnce": 1}},
	{"context", forgottenContext, nil, map[string]int{"main.waitForCancel": 1}},
	{"forgotten-unlock", forgottenUnlock, nil, map[string]int{"main.lockAfterError": 2}},
	{"nil-channel", nilChannel, nil, map[string]int{"main.receiveNil": 1, "main.sendNil": 1}},
	{"stopped-timer", stoppedTimer, nil, map[string]int{"main.waitForTimer": 1}},
	{"lock-twice", lockTwice, [][]string{{"main.lockAgain"}}, map[string]int{"main.lockAgain": 1}},
	{"mixed", mixed, [][]string{{"main.lockThenReceive", "main.sendUnderLock"}},
		map[string]int{"main.lockThenReceive": 1, "main.sendUnderLock": 1}},
	{"waitgroup-in-itself", groupOfOne, nil, map[string]int{"main.waitForItself": 1}},
	{"starved", starved, nil, nil},
	{"storm", storm, nil, nil},
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
	deadlocks, leaked := [][]string{}, map[string]int{}
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
