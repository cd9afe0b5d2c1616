module example.com/queues

go 1.18
