from django.urls import path

from . import views

urlpatterns = [
    path("", views.up),
    path("goods/", views.goods),
    path("goods.xlsx", views.sheet),
    path("badge.png", views.badge),
    path("mail/", views.mail),
    path("broken/", views.broken),
]
