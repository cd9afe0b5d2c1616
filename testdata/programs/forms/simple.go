package main

import (
	"bytes"
	"container/list"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/runtime/protoimpl"
)

// typed has its forms in fields of their own types.
type typed struct {
	Duration time.Duration
	Time     time.Time
	IP       net.IP
	Addr     netip.Addr
	Port     netip.AddrPort
	Prefix   netip.Prefix
	URL      url.URL
	Int      big.Int
	Raw      json.RawMessage
	List     list.List
	Reflect  reflect.Value
	Buffer   bytes.Buffer
	Mode     fs.FileMode
	Signal   os.Signal
	Month    time.Month
}

var gTyped typed

// keepTyped says the same of the field of gTyped as of the form.
func keepTyped(name, written string) {
	fmt.Fprintf(out, "typed.%s = %q\n", name, written)
}

func times() {
	day := time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.UTC)
	text("duration", 90*time.Second, "1m30s")
	text("time", day, day.String())
	text("month", time.May, "May")
	text("weekday", time.Friday, "Friday")
	text("location", time.FixedZone("EDT", -4*3600), "EDT")
	text("utc", time.UTC, time.UTC.String())
	gTyped.Duration, gTyped.Time, gTyped.Month = 90*time.Second, day, time.May
	keepTyped("Duration", "1m30s")
	keepTyped("Time", day.String())
	keepTyped("Month", "May")
	timers()
}

func addresses() {
	ip := net.ParseIP("2001:db8::7")
	text("ip", ip, ip.String())
	gTyped.IP = ip
	keepTyped("IP", ip.String())
	for i, one := range []string{"10.1.2.3", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", "2001:db8::"} {
		text(fmt.Sprintf("netip%d", i), netip.MustParseAddr(one), one)
	}
	text("netip.none", netip.Addr{}, netip.Addr{}.String())
	text("netip.port4", netip.MustParseAddrPort("10.9.8.7:65"), "10.9.8.7:65")
	text("netip.port6", netip.MustParseAddrPort("[::2]:66"), "[::2]:66")
	text("netip.prefix", netip.MustParsePrefix("10.64.0.0/10"), "10.64.0.0/10")
	gTyped.Addr, gTyped.Port = netip.MustParseAddr("10.1.2.4"), netip.MustParseAddrPort("[::3]:67")
	gTyped.Prefix = netip.MustParsePrefix("2001:db8::/32")
	keepTyped("Addr", "10.1.2.4")
	keepTyped("Port", "[::3]:67")
	keepTyped("Prefix", "2001:db8::/32")
	for i, one := range []string{"https://u@example.com:8443/a/b%20c?x=1&y=2#frag", "mailto:me@example.com",
		"/relative/path?q", "http://[::1]:80/", "file:///etc/hosts", "//host/only", "https://example.com"} {
		link, err := url.Parse(one)
		if err != nil {
			panic(err)
		}
		text(fmt.Sprintf("url%d", i), link, link.String())
		if i == 0 {
			gTyped.URL = *link
			keepTyped("URL", link.String())
		}
	}
	connections()
	request, _ := http.NewRequest("PUT", "http://example.com/items/7?full=1", nil)
	text("request", request, "PUT http://example.com/items/7?full=1")
	text("response", &http.Response{Status: "404 Not Found", StatusCode: 404}, "404 Not Found")
}

func connections() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	server, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	descriptor := func(c syscall.Conn) (fd uintptr) {
		raw, err := c.SyscallConn()
		if err != nil {
			panic(err)
		}
		if err := raw.Control(func(f uintptr) { fd = f }); err != nil {
			panic(err)
		}
		return fd
	}
	for name, c := range map[string]net.Conn{"client": client, "server": server} {
		text(name, c, fmt.Sprintf("tcp %s->%s, descriptor %d", c.LocalAddr(), c.RemoteAddr(), descriptor(c.(syscall.Conn))))
	}
	text("listener", listener, fmt.Sprintf("tcp %s, descriptor %d", listener.Addr(), descriptor(listener.(syscall.Conn))))
	text("tcpaddr", listener.Addr(), listener.Addr().String())
	file, err := os.Open("/dev/null")
	if err != nil {
		panic(err)
	}
	text("file", file, "/dev/null")
}

func numbers() {
	large, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	text("int", large, large.String())
	gTyped.Int = *large
	keepTyped("Int", large.String())
	text("rat", big.NewRat(-3, 7), "-3/7")
	text("mode", fs.FileMode(0o4754)|fs.ModeDir, (fs.FileMode(0o4754) | fs.ModeDir).String())
	text("mode.odd", fs.ModeSymlink|fs.ModeSetuid|0o777, (fs.ModeSymlink | fs.ModeSetuid | 0o777).String())
	gTyped.Mode = 0o640
	keepTyped("Mode", fs.FileMode(0o640).String())
	text("signal", syscall.SIGTERM, syscall.SIGTERM.String())
	text("signal.odd", syscall.Signal(40), syscall.Signal(40).String())
	gTyped.Signal = syscall.SIGSEGV
	keepTyped("Signal", syscall.SIGSEGV.String())
	text("number", json.Number("12.50"), "12.50")
	text("raw", json.RawMessage(`{"a":[1,2]}`), `{"a":[1,2]}`)
	gTyped.Raw = json.RawMessage(`[3]`)
	keepTyped("Raw", `[3]`)
	expression := regexp.MustCompile(`^a+b\.[c-e]$`)
	text("regexp", expression, expression.String())
	buffer := bytes.NewBufferString("read|unread")
	buffer.Next(5)
	text("buffer", buffer, buffer.String())
	gTyped.Buffer.WriteString("typed")
	keepTyped("Buffer", "typed")
	builder := &strings.Builder{}
	builder.WriteString("built")
	text("builder", builder, "built")
}

func collections() {
	queue := list.New()
	queue.PushBack("first")
	queue.PushBack(2)
	queue.PushFront(3.5)
	three, none := 3, 0
	say("list", queue, fact{Text: "3 elements", Length: &three, List: []string{"3.5", "first", "2"}})
	say("list.empty", list.New(), fact{Text: "0 elements", Length: &none, List: []string{}})
	gTyped.List.PushBack("typed")
	keepTyped("List", "1 elements")
}

type pair struct{ A, B int }

func reflected() {
	var none reflect.Value
	whole, name, count := pair{3, 4}, "a name", 17
	say("reflect.struct", reflect.ValueOf(whole), fact{Text: reflect.ValueOf(whole).String(), Holds: "main.pair"})
	say("reflect.pointer", reflect.ValueOf(&whole), fact{Text: reflect.ValueOf(&whole).String(), Holds: "*main.pair"})
	say("reflect.element", reflect.ValueOf(&whole).Elem().Field(1), fact{Text: "<int Value>", Holds: "int"})
	say("reflect.string", reflect.ValueOf(name), fact{Text: name, Holds: "string"})
	say("reflect.int", reflect.ValueOf(count), fact{Text: "<int Value>", Holds: "int"})
	say("reflect.none", none, fact{Text: "<invalid Value>"})
	text("reflect.type", reflect.TypeOf(whole), "main.pair")
	gTyped.Reflect = reflect.ValueOf(whole)
	keepTyped("Reflect", "<main.pair Value>")
}

// A message as protoc-gen-go writes it.
type message struct {
	state         protoimpl.MessageState
	sizeCache     protoimpl.SizeCache
	unknownFields protoimpl.UnknownFields

	Name  string
	Parts []*message
	Size  int64
}

func messages() {
	m := &message{Name: "outer", Size: 77, Parts: []*message{{Name: "inner"}}}
	m.state.StoreMessageInfo(&protoimpl.MessageInfo{})
	say("message", m, fact{Absent: []string{"state", "sizeCache", "unknownFields"},
		Entries: map[string]interface{}{"Name": "outer", "Size": 77}})
}
