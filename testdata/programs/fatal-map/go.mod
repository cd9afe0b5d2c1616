module example.com/fatal-map

go 1.18
