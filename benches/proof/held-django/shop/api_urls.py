from django.urls import include, path
from rest_framework import routers, serializers, viewsets

from .models import Good


class GoodSerializer(serializers.ModelSerializer):
    class Meta:
        model = Good
        fields = ["id", "name", "price", "added"]


class GoodViewSet(viewsets.ModelViewSet):
    queryset = Good.objects.order_by("id")
    serializer_class = GoodSerializer


router = routers.DefaultRouter()
router.register("goods", GoodViewSet)
urlpatterns = [path("", include(router.urls))]
