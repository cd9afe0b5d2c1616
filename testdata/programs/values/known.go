package main

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/values/truth"
)

type contextKey string

func holdTimes() {
	short, minus, long := truth.Opaque(1500*time.Millisecond), truth.Opaque(-time.Nanosecond), truth.Opaque(50*time.Hour)
	utc := truth.Opaque(time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.UTC))
	fixed := truth.Opaque(time.Date(1969, 7, 20, 20, 17, 40, 0, time.FixedZone("EDT", -4*3600)))
	zero := truth.Opaque(time.Time{})
	now := time.Now()
	month, day := truth.Opaque(time.March), truth.Opaque(time.Sunday)
	truth.Keep("short", short)
	truth.Keep("minus", minus)
	truth.Keep("long", long)
	truth.Keep("utc", utc)
	truth.Keep("fixed", fixed)
	truth.Keep("zero", zero)
	truth.Say("now", now)
	truth.Keep("month", month)
	truth.Keep("day", day)
	park()
	use(short, minus, long, utc, fixed, zero, now, month, day)
}

func holdErrors() {
	plain := errors.New("plain")
	wrapped := fmt.Errorf("outer %d: %w", 1, fmt.Errorf("inner: %w", &failure{3, "core"}))
	path := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}, Err: errors.New("refused")}
	var asError error = path
	truth.Keep("plain", plain)
	truth.Keep("wrapped", wrapped)
	truth.Keep("path", path)
	truth.Keep("asError", asError)
	park()
	use(plain, wrapped, path, asError)
}

func holdNet() {
	v4, v6, mapped := net.IPv4(192, 168, 1, 2).To4(), net.ParseIP("2001:db8::1"), net.ParseIP("127.0.0.1")
	var none net.IP
	_, network, _ := net.ParseCIDR("10.1.0.0/16")
	address := &net.TCPAddr{IP: v6, Port: 443, Zone: "eth0"}
	mac, _ := net.ParseMAC("02:00:5e:10:00:00")
	link, _ := url.Parse("https://user@example.com:8443/a/b%20c?x=1&y=2#frag")
	truth.Keep("v4", v4)
	truth.Keep("v6", v6)
	truth.Keep("mapped", mapped)
	truth.Say("none", none)
	truth.Keep("network", network)
	truth.Keep("address", address)
	truth.Keep("mac", mac)
	truth.Keep("link", link)
	park()
	use(v4, v6, mapped, none, network, address, mac, link)
}

func holdSync() {
	locked, read := &sync.Mutex{}, &sync.RWMutex{}
	locked.Lock()
	read.RLock()
	done, fresh := &sync.Once{}, &sync.Once{}
	done.Do(func() {})
	group := &sync.WaitGroup{}
	group.Add(3)
	table := &sync.Map{}
	table.Store("key", 1)
	var count int64
	atomic.StoreInt64(&count, 99)
	box := &atomic.Value{}
	box.Store(point{1, 2})
	truth.More(truth.Natural("locked", locked, "locked"))
	truth.More(truth.Natural("read", read, "read-locked by 1"))
	truth.More(truth.Natural("done", done, "done"))
	truth.More(truth.Natural("fresh", fresh, "not done"))
	truth.More(truth.Natural("group", group, "counter 3"))
	truth.Say("table", table)
	truth.Say("count", count)
	truth.Keep("box", box)
	park()
	use(locked, read, done, fresh, group, table, &count, box)
}

func holdContexts() {
	root := context.Background()
	valued := context.WithValue(root, contextKey("request"), "r-42")
	cancelled, cancel := context.WithCancel(valued)
	deadline, stop := context.WithTimeout(cancelled, time.Hour)
	over, cancelOver := context.WithCancel(context.TODO())
	cancelOver()
	truth.Keep("root", root)
	truth.Keep("valued", valued)
	truth.Keep("cancelled", cancelled)
	truth.Keep("deadline", deadline)
	truth.Keep("over", over)
	truth.Say("cancel", cancel)
	truth.Say("stop", stop)
	truth.Say("cancelOver", cancelOver)
	park()
	use(root, valued, cancelled, deadline, over, cancel, stop, cancelOver)
}

func holdBuffers() {
	buffer := bytes.NewBufferString("read|unread")
	buffer.Next(5)
	builder := &strings.Builder{}
	builder.WriteString("built")
	number, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	ratio := big.NewRat(-3, 7)
	raw := json.RawMessage(`{"a": [1, 2]}`)
	queue := list.New()
	queue.PushBack("first")
	queue.PushBack(2)
	reflected := reflect.ValueOf(point{7, 8})
	kind := reflect.TypeOf(point{})
	truth.Keep("buffer", buffer)
	truth.Keep("builder", builder)
	truth.Keep("number", number)
	truth.Keep("ratio", ratio)
	truth.Keep("raw", raw)
	truth.Keep("queue", queue)
	truth.Keep("reflected", reflected)
	truth.Say("kind", kind)
	park()
	use(buffer, builder, number, ratio, raw, queue, reflected, kind)
}

func holdHTTP() {
	request, err := http.NewRequest("PUT", "http://example.com/items/7?full=1", strings.NewReader("body"))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "text/plain")
	response := &http.Response{Status: "404 Not Found", StatusCode: 404, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Server": {"test"}}, Request: request, ContentLength: 12}
	cookie := &http.Cookie{Name: "theme", Value: "dark", MaxAge: 60}
	truth.Keep("request", request)
	truth.Keep("response", response)
	truth.Keep("cookie", cookie)
	truth.Say("err", err)
	park()
	use(request, response, cookie)
}

func known() {
	hold(holdTimes)
	hold(holdErrors)
	hold(holdNet)
	hold(holdSync)
	hold(holdContexts)
	hold(holdBuffers)
	hold(holdHTTP)
}
