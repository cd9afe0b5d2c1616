// Package protoimpl gives generated code the types of internal/impl.
package protoimpl

import "google.golang.org/protobuf/internal/impl"

type (
	MessageState  = impl.MessageState
	MessageInfo   = impl.MessageInfo
	SizeCache     = int32
	UnknownFields = []byte
)
