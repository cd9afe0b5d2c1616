package main

import (
	"context"
	"time"
)

type (
	stringKey string
	numberKey int
	emptyKey  struct{}
)

func contexts() {
	root := context.Background()
	text("context.background", root, rootName)
	one := context.WithValue(root, stringKey("request"), "r-42")
	text("context.value", one, rootName+`.WithValue(main.stringKey("request"), string)`)
	two := context.WithValue(one, numberKey(7), 2*time.Second)
	text("context.values", two, rootName+`.WithValue(main.stringKey("request"), string).WithValue(main.numberKey(7), time.Duration)`)
	three := context.WithValue(root, emptyKey{}, &pair{1, 2})
	text("context.empty", three, rootName+`.WithValue(main.emptyKey, *main.pair)`)
	open, stop := context.WithCancel(root)
	text("context.open", open, rootName+".WithCancel")
	closed, cancel := context.WithCancel(three)
	cancel()
	text("context.closed", closed, rootName+`.WithValue(main.emptyKey, *main.pair).WithCancel [context canceled]`)
	child, cancelChild := context.WithCancel(closed)
	text("context.child", child, rootName+
		`.WithValue(main.emptyKey, *main.pair).WithCancel [context canceled].WithCancel [context canceled]`)
	late, stopLate := context.WithTimeout(root, -time.Hour)
	say("context.late", late, fact{Text: rootName + ".WithDeadline(" + deadline(late) + ", %d) [context deadline exceeded]", Until: nanotime(late)})
	soon, stopSoon := context.WithTimeout(one, time.Hour)
	say("context.soon", soon, fact{Text: rootName + `.WithValue(main.stringKey("request"), string).WithDeadline(` + deadline(soon) + ", %d)",
		Until: nanotime(soon)})
	kept = append(kept, stop, cancelChild, stopLate, stopSoon)
}

var kept []func()

func deadline(c context.Context) string {
	at, _ := c.Deadline()
	return at.Round(0).String()
}

// nanotime is when the runtime's clock reaches the context's deadline.
func nanotime(c context.Context) int64 {
	at, _ := c.Deadline()
	return clock() + int64(time.Until(at))
}
