package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"syscall"
)

// failure wraps one error; what its Error says only its code knows.
type failure struct {
	Op  string
	Err error
}

func (f *failure) Error() string { return "failure of " + f.Op + ": " + f.Err.Error() }
func (f *failure) Unwrap() error { return f.Err }

// secretive has an error and does not give it away.
type secretive struct{ inner error }

func (s secretive) Error() string { return "hidden" }

func errorChains() {
	inner := errors.New("inner")
	say("error.plain", inner, fact{Text: "inner"})
	wrapped := fmt.Errorf("outer %d: %w", 1, fmt.Errorf("middle: %w", inner))
	say("error.wrapped", wrapped, fact{Text: wrapped.Error(), Wraps: []string{"middle: inner", "inner"}})
	say("error.own", &failure{"open", wrapped}, fact{Wraps: []string{wrapped.Error(), "middle: inner", "inner"}})
	say("error.secretive", secretive{inner}, fact{})
	path := &fs.PathError{Op: "open", Path: "/none", Err: syscall.ENOENT}
	say("error.path", path, fact{Text: path.Error(), Wraps: []string{"no such file or directory"}})
	_, err := strconv.Atoi("x1")
	say("error.number", err, fact{Text: err.Error(), Wraps: []string{"invalid syntax"}})
	operation := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80},
		Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	say("error.net", operation, fact{Text: operation.Error(), Wraps: []string{"connect: connection refused", "connection refused"}})
	request := &url.Error{Op: "Get", URL: "http://example.com/", Err: operation}
	say("error.url", request, fact{Text: request.Error(),
		Wraps: []string{operation.Error(), "connect: connection refused", "connection refused"}})
	link := &os.LinkError{Op: "rename", Old: "/a", New: "/b", Err: syscall.EXDEV}
	say("error.link", link, fact{Text: link.Error(), Wraps: []string{"invalid cross-device link"}})
	lookup := &net.DNSError{Err: "no such host", Name: "nowhere.example", Server: "127.0.0.1:53", IsNotFound: true}
	say("error.dns", lookup, fact{Text: lookup.Error()})
	say("error.eof", io.EOF, fact{Text: "EOF"})
	say("error.canceled", context.Canceled, fact{Text: "context canceled"})
	say("error.deadline", context.DeadlineExceeded, fact{Text: "context deadline exceeded"})
}
