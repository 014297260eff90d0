import logging

from django.db.models.signals import post_save
from django.dispatch import receiver

from .models import Good


@receiver(post_save, sender=Good)
def saved(sender, instance, **kwargs):
    logging.getLogger(__name__).info("saved %s", instance)
