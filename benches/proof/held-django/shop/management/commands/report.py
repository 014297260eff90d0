import csv

from django.core.management.base import BaseCommand

from shop.models import Good


class Command(BaseCommand):
    help = "Writes all goods as CSV."

    def handle(self, *args, **options):
        out = csv.writer(self.stdout)
        for good in Good.objects.all():
            out.writerow([good.pk, good.name, good.price])
