// A server under full load by its own clients: goroutines run, block, start and end while it crashes.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

type store struct {
	mu     sync.RWMutex
	values map[string][]byte
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.values[key] = body
		s.mu.Unlock()
		return
	}
	s.mu.RLock()
	value := s.values[key]
	s.mu.RUnlock()
	packer := gzip.NewWriter(w)
	_ = json.NewEncoder(packer).Encode(map[string]interface{}{"key": key, "value": value})
	_ = packer.Close()
}

var requests int64

func client(base string, n int) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2}}
	for i := 0; ; i++ {
		url := fmt.Sprintf("%s/?key=%d", base, (n*7+i)%100)
		if i%3 == 0 {
			req, _ := http.NewRequest(http.MethodPut, url, bytes.NewReader(make([]byte, 100+i%5000)))
			if resp, err := c.Do(req); err == nil {
				resp.Body.Close()
			}
		} else if resp, err := c.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		atomic.AddInt64(&requests, 1)
	}
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &store{values: map[string][]byte{}}
	go func() { _ = http.Serve(l, s) }()
	for i := 0; i < 40; i++ {
		go client("http://"+l.Addr().String(), i)
	}
	for atomic.LoadInt64(&requests) < 2000 {
		time.Sleep(10 * time.Millisecond)
	}
	if len(os.Args) > 1 {
		fmt.Println("crash.kind = \"signal\"\nready")
		select {}
	}
	fmt.Println("crash.kind = \"panic\"\ncrash.message = \"overloaded\"\ncrash.goroutine = 1")
	panic("overloaded")
}
