from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from shop.settings import settings

engine = create_engine(settings.database_url)
Session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "thing"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))


Base.metadata.create_all(engine)
with Session() as session:
    if session.get(Thing, 1) is None:
        session.add(Thing(id=1, name="lamp"))
        session.commit()


def goods(session, number):
    found = session.scalars(select(Thing).where(Thing.id == number)).first()
    return None if found is None else {"id": found.id, "name": found.name}
