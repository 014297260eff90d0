"""A service as people write them: some of it runs at once, some when it is asked for."""

import logging

import numpy as np
from flask import Flask, jsonify, render_template, request

app = Flask(__name__)


@app.get("/")
def mean():
    return jsonify(mean=float(np.arange(100).mean()))


@app.get("/fft")
def spectrum():
    values = np.abs(np.fft.rfft(np.sin(np.arange(64))))
    solved = np.linalg.solve(np.eye(3) * 2, np.ones(3))
    return render_template("page.html", values=values[:3], solved=solved)


@app.post("/upload")
def upload():
    import csv
    import io
    from xml.dom import minidom

    rows = list(csv.reader(io.StringIO(request.get_data(as_text=True))))
    document = minidom.parseString("<r/>")
    document.documentElement.setAttribute("rows", str(len(rows)))
    return document.toxml()


@app.get("/fetch")
def fetch():
    import requests

    return requests.get("http://127.0.0.1:18084/", timeout=5).text


@app.get("/random")
def random():
    return str(np.random.default_rng(1).normal())


@app.get("/broken")
def broken():
    raise ValueError("on purpose")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    app.run("127.0.0.1", 18084, threaded=True)
