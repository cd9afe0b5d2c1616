module example.com/fatal-unlock

go 1.18
