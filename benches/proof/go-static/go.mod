module example.test/serve

go 1.19
