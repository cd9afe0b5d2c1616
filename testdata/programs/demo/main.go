// A small shop that goes wrong: workers wait for orders, some for a lock, some sleep, one asks the
// cache, and the order with an unknown article takes the whole process down. What `make demo` shows.
package main

import (
	"fmt"
	"sync"
	"time"
)

type order struct {
	id      int
	article string
	count   int
}

type shop struct {
	mu     sync.Mutex
	stock  map[string]int
	orders chan order
	prices chan int
}

func (s *shop) worker() {
	for o := range s.orders {
		s.sell(o)
	}
}

func (s *shop) sell(o order) {
	if _, known := s.stock[o.article]; !known {
		panic(fmt.Sprintf("order %d: no article %q in stock", o.id, o.article))
	}
	s.mu.Lock()
	s.stock[o.article] -= o.count
	s.mu.Unlock()
}

func (s *shop) audit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Println(len(s.stock))
}

func (s *shop) refreshPrices() {
	select {
	case price := <-s.prices:
		fmt.Println(price)
	case <-time.After(time.Hour):
	}
}

func cleaner() {
	for {
		time.Sleep(time.Hour)
	}
}

func main() {
	s := &shop{
		stock:  map[string]int{"gopher": 7},
		orders: make(chan order),
		prices: make(chan int),
	}
	s.mu.Lock() // held for ever: the auditors wait
	for i := 0; i < 16; i++ {
		go s.worker()
	}
	for i := 0; i < 6; i++ {
		go s.audit()
	}
	for i := 0; i < 5; i++ {
		go s.refreshPrices()
	}
	for i := 0; i < 3; i++ {
		go cleaner()
	}
	time.Sleep(200 * time.Millisecond)
	s.orders <- order{id: 4711, article: "unicorn", count: 1}
	select {}
}
