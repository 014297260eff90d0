"""The application."""

from fastapi import FastAPI, Form, HTTPException, Request, WebSocket
from fastapi.templating import Jinja2Templates

from shop.database import Session, goods
from shop.settings import settings

app = FastAPI(title=settings.title)
templates = Jinja2Templates("shop/templates")


@app.get("/")
async def up():
    return {"up": True}


@app.get("/goods/{number}")
def one(number: int):
    with Session() as session:
        found = goods(session, number)
    if found is None:
        raise HTTPException(404, "no such thing")
    return found


@app.get("/page")
async def page(request: Request):
    return templates.TemplateResponse(request, "page.html", {"names": ["a", "b"]})


@app.post("/form")
async def form(name: str = Form()):
    return {"name": name}


@app.get("/fetch")
async def fetch():
    import httpx

    async with httpx.AsyncClient() as client:
        answer = await client.get("http://127.0.0.1:18111/")
    return answer.json()


@app.websocket("/talk")
async def talk(socket: WebSocket):
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@app.get("/broken")
async def broken():
    raise RuntimeError("on purpose")
