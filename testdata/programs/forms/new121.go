//go:build go1.21

package main

import (
	"context"
	"errors"
	"time"
)

const rootName = "context.Background"

func causes() {
	root := context.Background()
	text("context.todo", context.TODO(), "context.TODO")
	failed, fail := context.WithCancelCause(root)
	fail(errors.New("the cause"))
	text("context.cause", failed, rootName+".WithCancel [context canceled: the cause]")
	text("context.without", context.WithoutCancel(failed), rootName+".WithCancel [context canceled: the cause].WithoutCancel")
	late, stop := context.WithTimeoutCause(root, -time.Hour, errors.New("too late"))
	say("context.late.cause", late, fact{Text: rootName + ".WithDeadline(" + deadline(late) +
		", %d) [context deadline exceeded: too late]", Until: nanotime(late)})
	kept = append(kept, stop)
}
