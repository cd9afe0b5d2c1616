module example.com/forms

go 1.18

require google.golang.org/protobuf v1.36.0

replace google.golang.org/protobuf => ./protobuf
