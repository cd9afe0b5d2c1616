// Package impl has the one type by which a generated message is known (google.golang.org/protobuf
// v1.36 internal/impl/message_reflect.go), so that no module need be downloaded.
package impl

type MessageInfo struct {
	Exporter func(interface{}, int) interface{}
	secret   [4]uint64
}

type MessageState struct {
	pragma            [0]func()
	atomicMessageInfo *MessageInfo
}

// StoreMessageInfo does what a message's ProtoReflect does.
func (s *MessageState) StoreMessageInfo(info *MessageInfo) { s.atomicMessageInfo = info }
