package main

import (
	"sync"
	"sync/atomic"
	"time"
	_ "unsafe" // for linkname
)

//go:linkname clock runtime.nanotime
func clock() int64

func timers() {
	one, two, stopped, ticker := time.NewTimer(time.Hour), time.NewTimer(time.Millisecond), time.NewTimer(time.Hour), time.NewTicker(time.Minute)
	later := time.AfterFunc(30*time.Minute, func() {})
	now := clock()
	stopped.Stop()
	say("timer", one, fact{Text: "fires within %d", Until: now + int64(time.Hour)})
	say("timer.fired", two, fact{Text: "not running", Or: []string{"fired", "fires within 1ms"}})
	say("timer.stopped", stopped, fact{Text: "not running"})
	say("timer.func", later, fact{Text: "fires within %d", Until: now + int64(30*time.Minute)})
	say("ticker", ticker, fact{Text: "fires within %d, every 1m0s", Until: now + int64(time.Minute)})
}

func synchronised() {
	var m sync.Map
	want := map[string]interface{}{}
	store := func(k, v interface{}, key, value string) {
		m.Store(k, v)
		want[key] = value
	}
	store("a", 1, "a", "1")
	store(2, "two", "2", "two")
	store("gone", 3, "gone", "3")
	m.Load("a")
	m.Load("nothing") // misses until what is dirty is read
	m.Load("nothing")
	m.Load("nothing")
	store(3.5, true, "3.5", "true")
	m.Delete("gone")
	delete(want, "gone")
	count, none, many := len(want), 0, 300
	say("map", &m, fact{Text: "3 entries", Length: &count, Entries: want})
	say("map.empty", &sync.Map{}, fact{Text: "0 entries", Length: &none})
	var large sync.Map
	all := map[string]interface{}{}
	for i := 0; i < many; i++ {
		large.Store(i, -i)
		all[itoa(i)] = itoa(-i)
	}
	say("map.large", &large, fact{Text: "300 entries", Length: &many, Entries: all})
	pool := &sync.Pool{New: func() interface{} { return new(pair) }}
	say("pool.empty", pool, fact{Text: "0 kept"})
	full := &sync.Pool{}
	for i := 0; i < 5; i++ {
		full.Put(&pair{i, i})
	}
	say("pool", full, fact{Text: "5 kept"})
	once, fresh := &sync.Once{}, &sync.Once{}
	once.Do(func() {})
	text("once", once, "done")
	text("once.fresh", fresh, "not done")
	locks()
}

func locks() {
	mutex, readers, group := &sync.Mutex{}, &sync.RWMutex{}, &sync.WaitGroup{}
	writers := &sync.RWMutex{}
	mutex.Lock()
	readers.RLock()
	readers.RLock()
	writers.Lock()
	group.Add(3)
	go mutex.Lock()
	go writers.RLock()
	go group.Wait()
	go group.Wait()
	cond := sync.NewCond(&sync.Mutex{})
	for i := 0; i < 3; i++ {
		go func() {
			cond.L.Lock()
			cond.Wait()
		}()
	}
	time.Sleep(20 * time.Millisecond)
	text("mutex", mutex, "locked, 1 waiting")
	text("rwmutex.read", readers, "read-locked by 2")
	text("rwmutex.write", writers, "write-locked, 1 readers waiting")
	text("waitgroup", group, "counter 3, 2 waiting")
	text("cond", cond, "3 waiting")
	text("mutex.free", &sync.Mutex{}, "unlocked")
}

func atomics() {
	var box atomic.Value
	say("atomic.empty", &atomic.Value{}, fact{None: true})
	box.Store(3 * time.Second)
	say("atomic.value", &box, fact{Text: "3s"})
}

func itoa(i int) string {
	if i < 0 {
		return "-" + itoa(-i)
	}
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + itoa(i%10)
}
