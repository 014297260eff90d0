import time


class Timing:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        begun = time.monotonic()
        response = self.get_response(request)
        response["Server-Timing"] = f"app;dur={(time.monotonic() - begun) * 1000:.1f}"
        return response
