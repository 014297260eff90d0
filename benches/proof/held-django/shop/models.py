from django.db import models


class Good(models.Model):
    name = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    added = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name
