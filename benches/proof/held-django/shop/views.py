import io

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from .forms import GoodForm
from .models import Good


def up(request):
    return JsonResponse({"up": True, "goods": Good.objects.count()})


def goods(request):
    form = GoodForm(request.POST or None)
    if form.is_valid():
        form.save()
        return redirect("/goods/")
    return render(request, "shop/goods.html", {"goods": Good.objects.all(), "form": form})


def sheet(request):
    from openpyxl import Workbook

    book = Workbook()
    for good in Good.objects.all():
        book.active.append([good.name, float(good.price)])
    out = io.BytesIO()
    book.save(out)
    return HttpResponse(out.getvalue(), content_type="application/octet-stream")


def badge(request):
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (80, 20), "navy")
    ImageDraw.Draw(image).text((4, 4), "open", fill="white")
    out = io.BytesIO()
    image.save(out, "PNG")
    return HttpResponse(out.getvalue(), content_type="image/png")


def mail(request):
    from django.core.mail import EmailMultiAlternatives

    message = EmailMultiAlternatives("A thing", "text", "shop@example.org", ["you@example.org"])
    message.attach_alternative("<p>html</p>", "text/html")
    return HttpResponse(f"sent {message.send()}")


def broken(request):
    raise ValueError("on purpose")
