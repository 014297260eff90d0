from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    title: str = "shop"
    database_url: str


settings = Settings()
