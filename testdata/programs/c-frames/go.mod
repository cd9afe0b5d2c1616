module example.com/c-frames

go 1.18
