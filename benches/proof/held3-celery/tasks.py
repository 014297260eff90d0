import io

from celery import Celery, chain, group

app = Celery('tasks')
app.conf.update(
    broker_url='filesystem://',
    broker_transport_options={'data_folder_in': '/tmp/q', 'data_folder_out': '/tmp/q', 'control_folder': '/tmp/q'},
    result_backend='file:///tmp/q',
    accept_content=['json', 'yaml'],
)


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=1)
def picture(self, size):
    from PIL import Image, ImageDraw
    image = Image.new('RGB', (size, size))
    ImageDraw.Draw(image).ellipse((1, 1, size - 2, size - 2), fill='red')
    out = io.BytesIO()
    image.save(out, 'PNG')
    Image.open(io.BytesIO(out.getvalue())).rotate(30).save(io.BytesIO(), 'JPEG')
    return len(out.getvalue())


if __name__ == '__main__':
    import sys
    if sys.argv[1] == 'first':
        print(add.delay(1, 2).get(timeout=30))
    else:
        print(chain(add.s(1, 2), add.s(3))().get(timeout=30))
        print(picture.delay(64).get(timeout=30))
        print(add.apply_async((1, 2), serializer='yaml').get(timeout=30))
