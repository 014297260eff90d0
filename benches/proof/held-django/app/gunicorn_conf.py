bind = "127.0.0.1:18101"
workers = 2
threads = 2
worker_class = "gthread"
accesslog = "-"
